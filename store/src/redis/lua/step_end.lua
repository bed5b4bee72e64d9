-- Another door may have taken the lease, or the data may be gone: then nothing is changed.
if redis.call('GET', key('epoch')) ~= epoch then return {'not_ours'} end
-- A step that was sent again because its answer was lost is answered again, not made again. The new expiry is a write, so
-- that a WAIT behind it waits for this connection's write.
local made = redis.call('GET', key('step', step))
if made then
  redis.call('PEXPIRE', key('step', step), 120000)
  return cmsgpack.unpack(made)
end
local answer = work()
redis.call('SET', key('step', step), cmsgpack.pack(answer), 'PX', 120000)
return answer
