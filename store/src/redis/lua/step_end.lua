-- Another door may have taken the lease, or the data may be gone: then nothing is changed.
if redis.call('GET', key('epoch')) ~= epoch then return {{'not_ours'}, '0'} end
-- A step that was sent again because its answer was lost is answered again, not made again. The new expiry is a write, so
-- that a WAIT behind it waits for this connection's write.
local made = redis.call('GET', key('step', step))
if made then
  redis.call('PEXPIRE', key('step', step), 120000)
  return cmsgpack.unpack(made)
end
local answer, number = work(), '0'
-- What changed gets the next number, in this very step: whoever misses a number knows that it has missed something.
if noted.any and not quiet then
  number = int(redis.call('INCR', key('changes_number')))
  local all = #noted.session + #noted.account > 1000
  redis.call('XADD', key('changes'), 'MAXLEN', '~', '10000', number .. '-0',
    's', all and '' or table.concat(noted.session, ','), 'a', all and '' or table.concat(noted.account, ','),
    'p', noted.policy and '1' or '0', 'all', all and '1' or '0')
end
redis.call('SET', key('step', step), cmsgpack.pack({answer, number}), 'PX', 120000)
return {answer, number}
