-- after this name, at most so many, of this account or empty.
local function work()
  local names, found = key('devices'), {'ok'}
  if args[3] ~= '' then names = key('devices_of', args[3]) end
  for _, name in ipairs(redis.call('ZRANGEBYLEX', names, '(' .. args[1], '+', 'LIMIT', 0, args[2])) do
    found[#found + 1] = redis.call('HGETALL', key('device', redis.call('HGET', key('device_names'), name)))
  end
  return found
end
