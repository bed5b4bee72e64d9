-- id, expected version or empty, rules. The audit stays; the rest goes: the name is free again.
local function work()
  local id, wrong = args[1], unlike(args[1], args[2])
  if wrong then return wrong end
  local account = table_of(redis.call('HGETALL', key('account', id)))
  wrong = judge(args[3], {{id = id, before = account}})
  if wrong then return wrong end

  local ended = redis.call('SMEMBERS', key('open', id))
  for _, session in ipairs(redis.call('SMEMBERS', key('sessions_of', id))) do forget_session(session) end
  forget_name(account.name_hash)
  drop_links_and_tokens(id)
  for _, letter in ipairs(redis.call('SMEMBERS', key('letters_of', id))) do drop_letter(letter) end
  for _, name in ipairs(redis.call('ZRANGE', key('devices_of', id), 0, -1)) do
    redis.call('HDEL', key('device', redis.call('HGET', key('device_names'), name)), 'account')
  end
  take_out(id)
  for _, of_it in ipairs({'account', 'credential', 'codes', 'open', 'sessions_of', 'devices_of', 'picture'}) do
    redis.call('DEL', key(of_it, id))
  end
  return {'ok', ended}
end
