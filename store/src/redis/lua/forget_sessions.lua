-- Those that expired before this time, at most so many.
local function work()
  local old = redis.call('ZRANGEBYSCORE', key('sessions'), '-inf', '(' .. args[1], 'LIMIT', 0, args[2])
  for _, id in ipairs(old) do forget_session(id) end
  return {'ok', count(old)}
end
