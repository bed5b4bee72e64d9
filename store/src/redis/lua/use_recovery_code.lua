-- id, hash. Works once.
local function work()
  return {'ok', int(redis.call('SREM', key('codes', args[1]), args[2]))}
end
