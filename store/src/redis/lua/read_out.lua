-- What, then from where and how many, for those that come in pages.
local function numbered_from() return tonumber(args[2]), tonumber(args[2]) + tonumber(args[3]) - 1 end
local reading = {}
function reading.empty()
  return {'ok', int(redis.call('EXISTS', key('names'), key('failures'), key('locks'), key('tokens'), key('audit'), key('keys'),
    key('policy'), key('devices'), key('letters'), key('asked')))}
end
-- What is kept with an account and told by no port: its recovery codes, and of which disuse it was warned, or empty.
function reading.codes()
  return {'ok', redis.call('SMEMBERS', key('codes', args[2])), redis.call('HGET', key('account', args[2]), 'warned_of') or ''}
end
function reading.failures()
  local found = {'ok'}
  for _, entry in ipairs(redis.call('ZRANGE', key('failures'), numbered_from())) do
    local name, number = string.match(entry, '^(%x+):(%d+)$')
    local failure = failure_of(redis.call('HGET', key('failures', name), number))
    found[#found + 1] = {name, number, int(failure.at), failure.counts, failure.source}
  end
  return found
end
-- Hashes in the order of a set, each with its id.
local function records(order, of_one)
  local found = {'ok'}
  for _, id in ipairs(redis.call('ZRANGE', key(order), numbered_from())) do found[#found + 1] = of_one(id) end
  return found
end
function reading.locks()
  return records('locks', function(id)
    local fields = redis.call('HGETALL', key('lock', id))
    fields[#fields + 1], fields[#fields + 2] = 'id', id
    return fields
  end)
end
function reading.devices()
  return records('devices', function(name)
    return redis.call('HGETALL', key('device', redis.call('HGET', key('device_names'), name)))
  end)
end
function reading.links() return records('links', function(hash) return redis.call('HGETALL', key('link', hash)) end) end
function reading.letters() return records('letters', function(id) return redis.call('HGETALL', key('letter', id)) end) end
function reading.asked()
  local found = {'ok'}
  for _, entry in ipairs(redis.call('ZRANGE', key('asked'), numbered_from())) do
    local of, number = string.match(entry, '^(%x+):(%d+)$')
    found[#found + 1] = {of, int(tonumber(redis.call('ZSCORE', key('asked', of), number)))}
  end
  return found
end
function reading.tokens()
  local found, hashes = {'ok'}, table_of(redis.call('HGETALL', key('token_hashes')))
  local tokens = redis.call('HGETALL', key('tokens'))
  for i = 1, #tokens, 2 do found[#found + 1] = {tokens[i + 1], hashes[tokens[i]]} end
  return found
end
function reading.events()
  local found, from = {'ok'}, '-'
  if args[2] ~= '0' then from = '(' .. args[2] .. '-0' end
  for _, entry in ipairs(redis.call('XRANGE', key('audit'), from, '+', 'COUNT', args[3])) do
    found[#found + 1] = {string.match(entry[1], '^%d+'), entry[2][2]}
  end
  return found
end
function reading.pairs_of()
  local found, flat = {'ok'}, redis.call('HGETALL', key(args[2]))
  for i = 1, #flat, 2 do found[#found + 1] = {flat[i], flat[i + 1]} end
  return found
end
local function work() return reading[args[1]]() end
