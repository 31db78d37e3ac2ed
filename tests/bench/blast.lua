-- Asks for the lines of a file, one after the other and then again: PATH, or PATH, a tab, and a byte range.
local asked, turn = {}, 0

function init(words)
  for line in io.lines(words[1]) do
    local path, range = line:match("^([^\t]*)\t?(.*)$")
    local headers = { ["Host"] = "bench", ["Accept-Encoding"] = "gzip" }
    if range ~= "" then
      headers["Range"] = range
    end
    asked[#asked + 1] = wrk.format("GET", path, headers)
  end
end

function request()
  turn = turn % #asked + 1
  return asked[turn]
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "bytes": %d, "p50_ms": %f, "p99_ms": %f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, failed.status, failed.connect + failed.read + failed.write + failed.timeout))
end
