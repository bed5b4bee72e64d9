-- id, account, credentials version, role, how many it may have (0: any number), `refuse` or `displace`, why the others end,
-- then fields and values of the session.
local function work()
  local id, account, allowed = args[1], args[2], tonumber(args[5])
  local found = redis.call('HMGET', key('account', account), 'role', 'disabled', 'accepted_at')
  if found[1] ~= args[4] or found[2] ~= '0' or not found[3] then return {'stale'} end
  if redis.call('HGET', key('credential', account), 'version') ~= args[3] then return {'stale'} end
  local fields = {}
  for i = 8, #args, 2 do fields[args[i]] = args[i + 1] end
  local now, device = tonumber(fields.opened_at), fields.device
  if device and redis.call('HGET', key('device', device), 'account') ~= account then return {'stale'} end

  local live = {}
  if allowed > 0 then
    for _, other in ipairs(redis.call('SMEMBERS', key('open', account))) do
      local session = table_of(redis.call('HGETALL', key('session', other)))
      if session.channel == fields.channel and tonumber(session.expires_at) > now
        and tonumber(session.last_used_at) + tonumber(session.idle_after) > now then
        session.id = other
        live[#live + 1] = session
      end
    end
    table.sort(live, function(one, two)
      local first, second = tonumber(one.opened_at), tonumber(two.opened_at)
      if first ~= second then return first < second end
      return one.id < two.id
    end)
  end
  local displaced = {}
  if allowed > 0 and #live >= allowed then
    if args[6] == 'refuse' then return {'full', live[1].opened_at, live[1].address} end
    for i = 1, #live - allowed + 1 do
      end_one(live[i].id, fields.opened_at, args[7])
      displaced[#displaced + 1] = live[i].id
    end
  end

  for field, value in pairs(fields) do redis.call('HSET', key('session', id), field, value) end
  redis.call('SADD', key('open', account), id)
  redis.call('SADD', key('sessions_of', account), id)
  redis.call('ZADD', key('sessions'), fields.expires_at, id)
  -- A sign-in is a use.
  used(account, 'last_sign_in_at', fields.opened_at)
  used(account, 'last_used_at', fields.opened_at)
  if device then
    redis.call('SADD', key('open_from', device), id)
    local seen = redis.call('HGET', key('device', device), 'last_seen_at')
    if not seen or tonumber(seen) < now then redis.call('HSET', key('device', device), 'last_seen_at', fields.opened_at) end
  end
  return {'ok', displaced}
end
