-- Lookups of random keys, the same ones for every contender. Arguments: path of a lookup without its key, number of keys.
local head, keys
local tail = " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

function init(args)
  head = "GET " .. args[1] .. "user-"
  keys = tonumber(args[2])
  math.randomseed(20240229)
end

function request()
  return head .. math.random(0, keys - 1) .. tail
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format(
    '\n{"perSecond":%.0f,"p50Ms":%.3f,"p99Ms":%.3f,"maxMs":%.3f,"failures":%d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3, failures))
end
