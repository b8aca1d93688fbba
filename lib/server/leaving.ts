/**
 * After another token, connections that were open before end within this time: streams and waits at once, others with
 * their next response, and the rest at the end. Less than the 60 s that are promised, for a thread that is busy.
 */
export const leavingSeconds = 45
