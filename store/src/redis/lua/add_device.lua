-- id, then fields and values.
local function work()
  local id, device = args[1], {}
  for i = 2, #args, 2 do device[args[i]] = args[i + 1] end
  if device.account and redis.call('EXISTS', key('account', device.account)) == 0 then return {'not_found'} end
  if redis.call('EXISTS', key('device', id)) == 1 or redis.call('HEXISTS', key('device_names'), device.name) == 1
    or redis.call('HEXISTS', key('device_keys'), device.key_hash) == 1 then
    return {'name_taken'}
  end
  for field, value in pairs(device) do redis.call('HSET', key('device', id), field, value) end
  put_device_in(id)
  return {'ok'}
end
