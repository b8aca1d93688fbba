// Fields with the names of an old system, stored under those of today.
import { defineStore, json } from 'latchkey'

interface Row {
  ORDER_NO: string
  CUST_NAME: string
  AMT_CENTS: number
}

export default defineStore({
  key: 'utf8',
  input: json<Row>(),
  value: json<{ id: string; customer: string; amount: number }>(),
  convert: ({ ORDER_NO, CUST_NAME, AMT_CENTS }) => ({ id: ORDER_NO, customer: CUST_NAME, amount: AMT_CENTS / 100 }),
})
