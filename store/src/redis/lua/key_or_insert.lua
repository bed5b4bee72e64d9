-- name, fresh value.
local function work()
  redis.call('HSETNX', key('keys'), args[1], args[2])
  return {'ok', redis.call('HGET', key('keys'), args[1])}
end
