-- before, now, at most so many of each.
local function work()
  local forgotten, now = 0, tonumber(args[2])
  local old = redis.call('ZRANGEBYSCORE', key('failures'), '-inf', '(' .. args[1], 'LIMIT', 0, args[3])
  for _, entry in ipairs(old) do
    local name, number = string.match(entry, '^(%x+):(%d+)$')
    local text, holds = redis.call('HGET', key('failures', name), number), nil
    if text then
      local failure = failure_of(text)
      for _, lock in ipairs(locks_of(name)) do
        if lock.until_number > now and belongs(failure, lock) and (not holds or lock.until_number > tonumber(holds)) then
          holds = lock['until']
        end
      end
    end
    if holds then
      -- Looked at again when the lock has ended, so that many under a lock do not hide those behind them.
      redis.call('ZADD', key('failures'), holds, entry)
    else
      drop_failure(name, number)
      forgotten = forgotten + 1
    end
  end
  -- After the failures: a lock that has run out still has to use up those that are left of it.
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('locks'), '-inf', '(' .. args[1], 'LIMIT', 0, args[3])) do
    local lock = lock_of(id)
    local used = lock and lock.until_number <= now
    if used then
      for _, failure in ipairs(failures_of(lock.name)) do used = used and not belongs(failure, lock) end
    end
    if used then
      drop_lock(lock.name, id)
      forgotten = forgotten + 1
    end
  end
  return {'ok', int(forgotten)}
end
