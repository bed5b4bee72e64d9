-- who, when. Looks at all that wait: no more than may, and once, when somebody starts.
local function work()
  local released = 0
  for _, id in ipairs(redis.call('ZRANGE', key('letters'), 0, -1)) do
    if redis.call('HGET', key('letter', id), 'worker') == args[1] then
      redis.call('HDEL', key('letter', id), 'worker')
      set_due(id, args[2])
      released = released + 1
    end
  end
  return {'ok', int(released)}
end
