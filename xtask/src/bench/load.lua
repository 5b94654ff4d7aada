-- Drives wrk: goes through the requests of a file again and again, and ends with one line of figures.
-- A line of the file is a path, then `name:value` for each header, separated by tabs.

local requests = {}
local at = 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local path, headers
    for field in line:gmatch("[^\t]+") do
      if path == nil then
        path, headers = field, {}
      else
        local name, value = field:match("^([^:]+):(.*)$")
        headers[name] = value
      end
    end
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("figures %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
