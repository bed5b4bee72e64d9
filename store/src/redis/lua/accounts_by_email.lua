-- hash of an address in lower case. Two at most: two are one too many.
local function work()
  local found = {'ok'}
  for _, id in ipairs(redis.call('ZRANGE', key('of_email', args[1]), 0, 1)) do found[#found + 1] = account_of(id) end
  return found
end
