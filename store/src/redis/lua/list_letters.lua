-- after this id or empty, at most so many.
local function work()
  local found = {'ok'}
  for _, id in ipairs(redis.call('ZRANGEBYLEX', key('letters'), '(' .. args[1], '+', 'LIMIT', 0, args[2])) do
    found[#found + 1] = redis.call('HGETALL', key('letter', id))
  end
  return found
end
