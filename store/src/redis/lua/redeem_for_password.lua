-- hash, purpose, password hash, why, when.
local function work()
  local link = live_link(args[1], args[2], args[5])
  if not link then return {'link_dead'} end
  local id, now = link.account, args[5]
  if args[2] == 'invitation' then
    take_out(id)
    redis.call('HSETNX', key('account', id), 'accepted_at', now)
    drop_invitation(id)
    put_in(id)
    used(id, 'reinstated_at', now)
  end
  replace_password(id, args[3], '0')
  local ended = end_all(id, '', now, args[4])
  return {'ok', ended, account_of(id)}
end
