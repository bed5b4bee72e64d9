-- id, account or empty, when, why.
local function work()
  local id, account = args[1], args[2]
  local device = table_of(redis.call('HGETALL', key('device', id)))
  if not device.name then return {'not_found'} end
  if account ~= '' and redis.call('EXISTS', key('account', account)) == 0 then return {'not_found'} end
  local ended = {}
  if (device.account or '') ~= account then
    if device.account then redis.call('ZREM', key('devices_of', device.account), device.name) end
    redis.call('HDEL', key('device', id), 'account')
    if account ~= '' then
      redis.call('HSET', key('device', id), 'account', account)
      redis.call('ZADD', key('devices_of', account), 0, device.name)
    end
    ended = end_all_in(key('open_from', id), '', args[3], args[4])
  end
  return {'ok', ended, redis.call('HGETALL', key('device', id))}
end
