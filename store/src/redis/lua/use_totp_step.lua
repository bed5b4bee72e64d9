-- id, step. Used once, and never an earlier one.
local function work()
  local found = redis.call('HMGET', key('credential', args[1]), 'totp_sealed', 'totp_last_step')
  if not found[1] or (found[2] and tonumber(found[2]) >= tonumber(args[2])) then return {'ok', '0'} end
  redis.call('HSET', key('credential', args[1]), 'totp_last_step', args[2])
  return {'ok', '1'}
end
