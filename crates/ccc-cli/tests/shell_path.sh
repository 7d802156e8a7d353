# a passphrase for the secret files, in a file that only you read
(umask 077; echo 'correct horse battery staple' > passphrase)
export CCC_PASSPHRASE_FILE=passphrase

# keys: a vault of four participants, any three open; the reserve, a maker, the agent
ccc keygen dkg -n 4 --out keys
RESERVE=$(ccc keygen account --out reserve.ccc)
ccc keygen account --out maker.ccc
ccc keygen agent --out agent.ccc

# a pool: the reserve brings dollars, the maker brings bitcoin and a standing order
ccc table init --committee keys/committee.ccc --reserve "$RESERVE" --agent-key agent.pub --out pool
ccc table deposit --pool pool --account-key reserve.ccc --asset quote --amount 500000000000
ccc table deposit --pool pool --account-key maker.ccc --asset base --amount 500000000
printf 'size = 400000000\nspread = [50, 50]\n' > terms.toml
ccc encrypt-order --pool pool --standing --account-key maker.ccc --terms terms.toml

# an idle round credits the deposits and reserves the maker's bitcoin
ccc fill prepare --pool pool --out intake
for i in 1 2 3; do ccc reencrypt --participant keys/participant-$i.ccc --pool pool --attempt intake; done
ccc fill run --pool pool --attempt intake

# the reserve check: what the custodian says, with the reserve's own row (exit code 1: insolvent)
echo '{"account":"cold","unit":"satoshi","time":'"$(date +%s)"',"reserves":4750000000,"liabilities":4900000000}' > statement.json
ccc fill prepare --pool pool --reserve-check --out check
for i in 1 2 4; do ccc reencrypt --participant keys/participant-$i.ccc --pool pool --attempt check; done
ccc fill run --pool pool --attempt check --statement statement.json || test $? = 1
ccc verify --pool pool check/report.ccc check/envelope.ccc

# the agent opens its envelope and orders what is missing; nobody else learns how much
ccc encrypt-order --pool pool --check check --agent-key agent.ccc --spread 100

# open, clear, settle, report
ccc fill prepare --pool pool --out fill
for i in 2 3 4; do ccc reencrypt --participant keys/participant-$i.ccc --pool pool --attempt fill; done
ccc verify --pool pool fill/request.ccc fill/recipient.ccc fill/share-3.ccc
T=$(date +%s)
echo '[{"round":1,"answer":9700000000000,"updated_at":'$((T-1500))'},{"round":2,"answer":9710000000000,"updated_at":'$((T-700))'},{"round":3,"answer":9705000000000,"updated_at":'$((T-60))'}]' > prices.json
ccc fill run --pool pool --attempt fill --price prices.json
ccc table balance --pool pool --account-key reserve.ccc

# the maker's receipt, and the proofs with which it could leave without anyone's help
ccc table history --pool pool --account-key maker.ccc
ccc table export --pool pool --account-key maker.ccc --out proof.json

# the same statement, and now the reserve's row counts
ccc fill prepare --pool pool --reserve-check --out again
for i in 1 2 3; do ccc reencrypt --participant keys/participant-$i.ccc --pool pool --attempt again; done
ccc fill run --pool pool --attempt again --statement statement.json
ccc verify --pool pool
