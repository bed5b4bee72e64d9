-- hash of a role, how many. Those accepted and not disabled, the one used last first.
local function work()
  return {'ok', redis.call('ZREVRANGE', key('in_use', args[1]), 0, tonumber(args[2]) - 1)}
end
