-- id, when, why.
local function work()
  local id = args[1]
  local device = table_of(redis.call('HGETALL', key('device', id)))
  if not device.name then return {'not_found'} end
  local ended = end_all_in(key('open_from', id), '', args[2], args[3])
  redis.call('HDEL', key('device_keys'), device.key_hash)
  redis.call('HDEL', key('device_names'), device.name)
  redis.call('ZREM', key('devices'), device.name)
  if device.account then redis.call('ZREM', key('devices_of', device.account), device.name) end
  redis.call('DEL', key('device', id), key('open_from', id))
  return {'ok', ended}
end
