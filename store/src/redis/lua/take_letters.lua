-- who, when, until when they are claimed, at most so many. Longest due first.
local function work()
  local found = {'ok'}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('letters_due'), '-inf', args[2], 'LIMIT', 0, args[4])) do
    redis.call('HINCRBY', key('letter', id), 'claim', 1)
    redis.call('HSET', key('letter', id), 'worker', args[1])
    set_due(id, args[3])
    found[#found + 1] = redis.call('HGETALL', key('letter', id))
  end
  return found
end
