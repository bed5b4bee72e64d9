-- A failure lies as `AT:COUNTS:SOURCE` under its number in the hash `failures:NAME_HASH`; `COUNTS` is 0 where a lock or a right
-- attempt has used it up for its source. `failures` orders all of them by when they may be forgotten.
local function failure_of(text)
  local at, counts, source = string.match(text, '^(-?%d+):([01]):(.*)$')
  return {at = tonumber(at), counts = counts, source = source}
end
local function failures_of(name)
  local flat, found = redis.call('HGETALL', key('failures', name)), {}
  for i = 1, #flat, 2 do
    local failure = failure_of(flat[i + 1])
    failure.number, failure.text = flat[i], flat[i + 1]
    found[#found + 1] = failure
  end
  return found
end
local function drop_failure(name, number)
  redis.call('HDEL', key('failures', name), number)
  redis.call('ZREM', key('failures'), name .. ':' .. number)
end
local function drop_failures(name)
  for _, number in ipairs(redis.call('HKEYS', key('failures', name))) do drop_failure(name, number) end
end
-- They still count for the name from anywhere: that is what the spread-out guess is found by.
local function stop_counting(name, source)
  for _, failure in ipairs(failures_of(name)) do
    if failure.source == source and failure.counts == '1' then
      redis.call('HSET', key('failures', name), failure.number, int(failure.at) .. ':0:' .. source)
    end
  end
end
-- A lock is the hash `lock:ID`; one without `source` holds for every source.
local function lock_of(id)
  local flat = redis.call('HGETALL', key('lock', id))
  if #flat == 0 then return nil end
  local lock = table_of(flat)
  lock.id, lock.since_number, lock.until_number = id, tonumber(lock.since), tonumber(lock['until'])
  return lock
end
local function locks_of(name)
  local found = {}
  for _, id in ipairs(redis.call('SMEMBERS', key('locks_of', name))) do
    local lock = lock_of(id)
    if lock then found[#found + 1] = lock end
  end
  return found
end
local function drop_lock(name, id)
  redis.call('SREM', key('locks_of', name), id)
  redis.call('ZREM', key('locks'), id)
  redis.call('ZREM', key('locks_of_accounts'), id)
  return redis.call('DEL', key('lock', id)) == 1
end
-- Ends a lock and uses up the failures it was set for, or the next failure would set it again.
local function unlock_one(id)
  local lock = lock_of(id)
  if not lock then return false end
  drop_lock(lock.name, id)
  if lock.source then stop_counting(lock.name, lock.source) else drop_failures(lock.name) end
  return true
end
-- A failure belongs to a lock that it led to, as long as the lock has not used it up.
local function belongs(failure, lock)
  return failure.at <= lock.since_number
    and (not lock.source or (lock.source == failure.source and failure.counts == '1'))
end
local function forget_name(name)
  drop_failures(name)
  local locks = 0
  for _, id in ipairs(redis.call('SMEMBERS', key('locks_of', name))) do
    if drop_lock(name, id) then locks = locks + 1 end
  end
  return locks
end
-- What was counted for the old name counts for the new one: a new name must not be a way out of a lock. Each lock of the old
-- name has its new id in `ids`.
local function move_attempts(old, new, ids)
  forget_name(new)
  for _, failure in ipairs(failures_of(old)) do
    redis.call('HSET', key('failures', new), failure.number, failure.text)
    redis.call('ZADD', key('failures'), redis.call('ZSCORE', key('failures'), old .. ':' .. failure.number), new .. ':' .. failure.number)
    drop_failure(old, failure.number)
  end
  for _, lock in ipairs(locks_of(old)) do
    local id = ids[lock.id]
    drop_lock(old, lock.id)
    redis.call('HSET', key('lock', id), 'name', new, 'failures', lock.failures, 'since', lock.since, 'until', lock['until'])
    if lock.source then redis.call('HSET', key('lock', id), 'source', lock.source) end
    redis.call('SADD', key('locks_of', new), id)
    redis.call('ZADD', key('locks'), lock['until'], id)
    redis.call('ZADD', key('locks_of_accounts'), lock['until'], id)
  end
end
