/** Number of connections that the listeners of a thread hold. They have one bound for all ports. */
export class OpenConnections {
  count = 0
}
