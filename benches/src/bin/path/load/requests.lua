-- Sends the requests of a file in turn: one a line, its path, then its header lines, parted by tabs.
local requests, turn = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local fields = {}
    for field in line:gmatch("[^\t]+") do
      fields[#fields + 1] = field
    end
    local headers = { ["Host"] = wrk.headers["Host"] }
    for at = 2, #fields do
      local name, value = fields[at]:match("^([^:]+): (.*)$")
      headers[name] = value
    end
    requests[#requests + 1] = wrk.format("GET", fields[1], headers)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end
