-- account, purpose.
local function work()
  local hash = redis.call('HGET', key('links_of', args[1]), args[2])
  if hash and drop_link(hash) then return {'ok', '1'} else return {'ok', '0'} end
end
