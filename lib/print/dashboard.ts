/** A dashboard of Grafana. */
import { type Panel, panelRows } from './dashboard-panels.ts'

/** Grafana's grid has 24 columns. */
const gridColumns = 24
const [statHeight, graphHeight] = [4, 8]
const datasource = { type: 'prometheus', uid: '${datasource}' }

export const dashboard = `${JSON.stringify(
  {
    title: 'Latchkey',
    uid: 'latchkey',
    schemaVersion: 39,
    editable: true,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        {
          name: 'instance',
          type: 'query',
          datasource,
          query: 'label_values(latchkey_build_info, instance)',
          refresh: 2,
          multi: true,
          includeAll: true,
          allValue: '.*',
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels: panelsOf(),
  },
  null,
  2,
)}\n`

function panelsOf(): object[] {
  const panels: object[] = []
  let y = 0
  for (const [title, items] of panelRows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: gridColumns, h: 1 },
    })
    y++
    const width = gridColumns / items.length
    const height = items.every(({ isStat }) => isStat) ? statHeight : graphHeight
    for (const [index, panel] of items.entries()) {
      panels.push({
        id: panels.length + 1,
        ...shown(panel),
        gridPos: { x: Math.floor(index * width), y, w: Math.floor(width), h: height },
      })
    }
    y += height
  }
  return panels
}

function shown({ title, description, unit, queries, isStat }: Panel): object {
  return {
    type: isStat ? 'stat' : 'timeseries',
    title,
    description,
    datasource,
    fieldConfig: { defaults: { unit, ...(!isStat && { min: 0 }) }, overrides: [] },
    targets: queries.map(({ expr, legend }, index) => {
      return { refId: String.fromCharCode('A'.charCodeAt(0) + index), datasource, expr, legendFormat: legend }
    }),
  }
}
