-- Requests for random keys, the same ones for every contender. Arguments: path of a lookup without its key, number of
-- keys, form of the requests (requests.ts has the same ones), keys of one request, token of the server.
local path, keys, form, each
local isChecked = false
local tail = " HTTP/1.1\r\nHost: 127.0.0.1\r\n"

function init(args)
  path = args[1]
  keys = tonumber(args[2])
  form = args[3]
  each = tonumber(args[4])
  if args[5] ~= nil and args[5] ~= "" then tail = tail .. "Authorization: Bearer " .. args[5] .. "\r\n" end
  math.randomseed(20240229)
end

local function key()
  return "user-" .. math.random(0, keys - 1)
end

local function keysOf(before, after)
  local parts = {}
  for index = 1, each do parts[index] = before .. key() .. after end
  return parts
end

function request()
  -- wrk checks the first request, which it does not send, with a parser that does not know QUERY.
  if form == "query" and not isChecked then
    isChecked = true
    return "GET / HTTP/1.1\r\n\r\n"
  end
  if form == "single" then return "GET " .. path .. key() .. tail .. "\r\n" end
  local collection = path:sub(1, -2)
  if form == "keys" then
    return "GET " .. collection .. "?" .. table.concat(keysOf("keys=", ""), "&") .. tail .. "\r\n"
  end
  local body = '{"keys":[' .. table.concat(keysOf('"', '"'), ",") .. "]}"
  return "QUERY " .. collection .. tail .. "Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format(
    '\n{"perSecond":%.0f,"p50Ms":%.3f,"p99Ms":%.3f,"maxMs":%.3f,"failures":%d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3, failures))
end
