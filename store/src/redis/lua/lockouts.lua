-- name hash or empty, now, at most so many: those of accounts first, so that a flood of made-up names hides none of them.
local function work()
  local ids, listed, limit = {}, {}, tonumber(args[3])
  if args[1] ~= '' then
    ids = redis.call('SMEMBERS', key('locks_of', args[1]))
  else
    for _, which in ipairs({'locks_of_accounts', 'locks'}) do
      for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', key(which), '+inf', '(' .. args[2], 'LIMIT', 0, limit)) do
        if not listed[id] and #ids < limit then
          listed[id] = true
          ids[#ids + 1] = id
        end
      end
    end
  end
  local found = {'ok'}
  for _, id in ipairs(ids) do
    local lock = lock_of(id)
    if lock and lock.until_number > tonumber(args[2]) and #found <= limit then
      local fields = {'id', id, 'failures', lock.failures, 'since', lock.since, 'until', lock['until']}
      local account = redis.call('HGET', key('names_by_hash'), lock.name)
      if account then fields[#fields + 1], fields[#fields + 2] = 'account', account end
      if lock.source then fields[#fields + 1], fields[#fields + 2] = 'source', lock.source end
      found[#found + 1] = fields
    end
  end
  return found
end
