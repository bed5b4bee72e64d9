-- id, sealed secret, the step that proved it, then hashes of recovery codes.
local function work()
  local id = args[1]
  if not raise_versions(id) then return {'not_found'} end
  redis.call('HSET', key('credential', id), 'totp_sealed', args[2], 'totp_last_step', args[3])
  redis.call('DEL', key('codes', id))
  for i = 4, #args do redis.call('SADD', key('codes', id), args[i]) end
  return {'ok'}
end
