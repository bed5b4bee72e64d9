-- id, sealed secret, the step that proved it, the right that was shown or empty, when, then hashes of recovery codes.
local function work()
  local id = args[1]
  if args[4] ~= '' then
    local right = live_link(args[4], 'second_factor', args[5])
    if not right or right.account ~= id then return {'link_dead'} end
  end
  if not raise_versions(id) then return {'not_found'} end
  drop_links(id)
  redis.call('HSET', key('credential', id), 'totp_sealed', args[2], 'totp_last_step', args[3])
  redis.call('DEL', key('codes', id))
  for i = 6, #args do redis.call('SADD', key('codes', id), args[i]) end
  return {'ok'}
end
