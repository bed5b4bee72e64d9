-- Those that expire after this time.
local function work()
  return {'ok', redis.call('ZRANGEBYSCORE', key('sessions'), '(' .. args[1], '+inf')}
end
