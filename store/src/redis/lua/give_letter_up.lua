-- id, claim.
local function work()
  if is_claimed(args[1], args[2]) and drop_letter(args[1]) then return {'ok', '1'} else return {'ok', '0'} end
end
