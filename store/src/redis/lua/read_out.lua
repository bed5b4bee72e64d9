-- What, then from where and how many, for those that come in pages.
local function numbered_from() return tonumber(args[2]), tonumber(args[2]) + tonumber(args[3]) - 1 end
local reading = {}
function reading.empty()
  return {'ok', int(redis.call('EXISTS', key('names'), key('failures'), key('locks'), key('tokens'), key('audit'), key('keys'),
    key('policy')))}
end
function reading.codes() return {'ok', redis.call('SMEMBERS', key('codes', args[2]))} end
function reading.failures()
  local found = {'ok'}
  for _, entry in ipairs(redis.call('ZRANGE', key('failures'), numbered_from())) do
    local name, number = string.match(entry, '^(%x+):(%d+)$')
    local failure = failure_of(redis.call('HGET', key('failures', name), number))
    found[#found + 1] = {name, number, int(failure.at), failure.counts, failure.source}
  end
  return found
end
function reading.locks()
  local found = {'ok'}
  for _, id in ipairs(redis.call('ZRANGE', key('locks'), numbered_from())) do
    local fields = redis.call('HGETALL', key('lock', id))
    fields[#fields + 1], fields[#fields + 2] = 'id', id
    found[#found + 1] = fields
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
