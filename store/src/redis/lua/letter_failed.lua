-- id, claim, why, when to try again, whether it may have arrived.
local function work()
  local id = args[1]
  if not is_claimed(id, args[2]) then return {'ok', '0'} end
  redis.call('HDEL', key('letter', id), 'worker')
  redis.call('HINCRBY', key('letter', id), 'failures', 1)
  redis.call('HSET', key('letter', id), 'last_failure', args[3], 'may_have_arrived', args[5])
  set_due(id, args[4])
  return {'ok', '1'}
end
