-- id, when, why.
local function work()
  if end_one(args[1], args[2], args[3]) then return {'ok', '1'} else return {'ok', '0'} end
end
