-- id, rules, the change, whether to end sessions, when, why. A change of name says from which, and what becomes of each lock.
local function work()
  local id, change = args[1], cjson.decode(args[3])
  local wrong = unlike(id, change.expected or '')
  if wrong then return wrong end
  local before = table_of(redis.call('HGETALL', key('account', id)))
  local after = changed(before, change)
  local renamed = after.name ~= before.name
  if renamed then
    if redis.call('HEXISTS', key('names'), after.name) == 1 then return {'name_taken'} end
    -- Ids of locks are made outside: where they are others by now, they are made again.
    if change.renamed_from ~= before.name then return {'again'} end
    for _, lock in ipairs(redis.call('SMEMBERS', key('locks_of', before.name_hash))) do
      if not change.locks[lock] then return {'again'} end
    end
  end
  wrong = judge(args[2], {{id = id, before = before, after = after}})
  if wrong then return wrong end

  save(id, change)
  if renamed then move_attempts(before.name_hash, after.name_hash, change.locks) end
  -- Links to a former address, and all that acts for an account that is switched off.
  if after.disabled == '1' and before.disabled == '0' then
    drop_links_and_tokens(id)
    drop_invitation(id)
  end
  if after.email ~= before.email then
    drop_links(id)
    drop_invitation(id)
  end
  local ended = {}
  if args[4] == '1' then ended = end_all(id, '', args[5], args[6]) end
  return {'ok', ended, account_of(id)}
end
