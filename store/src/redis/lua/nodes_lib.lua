-- The nodes that share the store: up to which change each has heard, until when others wait for it, what it says of itself.
local function milliseconds()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function nodes()
  local found = {}
  local flat = redis.call('HGETALL', key('nodes'))
  for i = 1, #flat, 2 do
    local heard, ends, says = string.match(flat[i + 1], '^(%d+) (%d+) (.*)$')
    found[#found + 1] = {id = flat[i], heard = tonumber(heard), ends = tonumber(ends), says = says}
  end
  return found
end
