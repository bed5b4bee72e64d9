-- `id` or `key`, then which.
local function work()
  local id = args[2]
  if args[1] == 'key' then id = redis.call('HGET', key('device_keys'), args[2]) end
  local fields = id and redis.call('HGETALL', key('device', id))
  if not fields or #fields == 0 then return {'not_found'} end
  return {'ok', fields}
end
