-- id, when, why.
local function work()
  local id = args[1]
  if not raise_versions(id) then return {'not_found'} end
  redis.call('HDEL', key('credential', id), 'totp_sealed', 'totp_last_step')
  redis.call('DEL', key('codes', id))
  drop_links_and_tokens(id)
  return {'ok', end_all(id, '', args[2], args[3])}
end
