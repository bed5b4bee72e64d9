-- counting from, now, the link and its letter or empty, then what is counted and how often it may be.
local function work()
  for i = 4, #args, 2 do
    if redis.call('ZCOUNT', key('asked', args[i]), args[1], '+inf') >= tonumber(args[i + 1]) then return {'ok', '0'} end
  end
  local fresh = args[3] ~= '' and cjson.decode(args[3])
  local wrong = fresh and unfit_link(fresh)
  if wrong then return wrong end
  for i = 4, #args, 2 do
    local number = int(redis.call('INCR', key('asked_number')))
    redis.call('ZADD', key('asked', args[i]), args[2], number)
    redis.call('ZADD', key('asked'), args[2], args[i] .. ':' .. number)
  end
  if fresh then put_link(fresh) end
  return {'ok', '1'}
end
