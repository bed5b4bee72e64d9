-- name hash, source, lock id here, lock id anywhere, failures here, failures anywhere, counting from, now, end of a lock.
local function set_lock(id, name, source, failures, now, ends)
  redis.call('HSET', key('lock', id), 'name', name, 'failures', int(failures), 'since', now, 'until', ends)
  if source then redis.call('HSET', key('lock', id), 'source', source) end
  redis.call('SADD', key('locks_of', name), id)
  redis.call('ZADD', key('locks'), ends, id)
  if redis.call('HEXISTS', key('names_by_hash'), name) == 1 then redis.call('ZADD', key('locks_of_accounts'), ends, id) end
end
local function work()
  local name, source, now, ends = args[1], args[2], args[8], args[9]
  local latest
  for _, id in ipairs({args[3], args[4]}) do
    local holds = redis.call('HGET', key('lock', id), 'until')
    if holds and tonumber(holds) <= tonumber(now) then
      unlock_one(id)
    elseif holds and (not latest or tonumber(holds) > tonumber(latest)) then
      latest = holds
    end
  end
  if latest then return {'locked', latest} end

  local number = int(tonumber(redis.call('ZINCRBY', key('failure_numbers'), 1, 'highest')))
  redis.call('HSET', key('failures', name), number, now .. ':1:' .. source)
  redis.call('ZADD', key('failures'), now, name .. ':' .. number)
  local here, anywhere, from = 0, 0, tonumber(args[7])
  for _, failure in ipairs(failures_of(name)) do
    if failure.at > from then
      anywhere = anywhere + 1
      if failure.source == source and failure.counts == '1' then here = here + 1 end
    end
  end
  local locks = ''
  if here >= tonumber(args[5]) then
    set_lock(args[3], name, source, here, now, ends)
    locks = ends
  end
  if anywhere >= tonumber(args[6]) then
    set_lock(args[4], name, nil, anywhere, now, ends)
    locks = ends
  end
  return {'go', int(here), locks}
end
