-- The newest policy is `policy`; `policies` has all by number, `policy_numbers` the newest number of each text.
local function put_policy(revision, sha256, stored)
  redis.call('HSET', key('policy'), 'revision', revision, 'sha256', sha256)
  redis.call('HSET', key('policies'), revision, stored)
  redis.call('HSET', key('policy_numbers'), sha256, revision)
end
