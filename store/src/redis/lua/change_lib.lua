-- What a change makes of an account: fields to set, and names of those that go.
local function changed(before, change)
  local after = {}
  for field, value in pairs(before) do after[field] = value end
  for field, value in pairs(change.set) do after[field] = value end
  for _, field in ipairs(change.gone) do after[field] = nil end
  return after
end
local function save(id, change)
  take_out(id)
  for field, value in pairs(change.set) do redis.call('HSET', key('account', id), field, value) end
  for _, field in ipairs(change.gone) do redis.call('HDEL', key('account', id), field) end
  redis.call('HINCRBY', key('account', id), 'version', 1)
  put_in(id)
end
