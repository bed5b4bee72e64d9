-- lock id.
local function work()
  if unlock_one(args[1]) then return {'ok', '1'} else return {'ok', '0'} end
end
