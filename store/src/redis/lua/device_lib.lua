-- A device is the hash `device:ID`; found by key, by name and in the order of names, of all and of an account.
local function put_device_in(id)
  local device = table_of(redis.call('HGETALL', key('device', id)))
  redis.call('HSET', key('device_keys'), device.key_hash, id)
  redis.call('HSET', key('device_names'), device.name, id)
  redis.call('ZADD', key('devices'), 0, device.name)
  if device.account then redis.call('ZADD', key('devices_of', device.account), 0, device.name) end
end
