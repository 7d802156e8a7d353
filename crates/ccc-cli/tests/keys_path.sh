# a passphrase for the secret files, in a file that only you read
(umask 077; echo 'correct horse battery staple' > passphrase)
export CCC_PASSPHRASE_FILE=passphrase

# four people make keys, each at home, and send the .pub file to one of them, who names the session
for i in a b c d; do ccc keygen participant --out $i.ccc; done
ccc keygen session --out session.json a.pub b.pub c.pub d.pub

# each runs one command until it has a share; board/ is any directory that they keep alike (exit code 1: it waits)
step() { ccc keygen dkg --session session.json --keys $1.ccc --state $1.state --board board --out vault || test $? = 1; }
for round in 1 2 3 4; do for i in a b c d; do step $i; done; done

# anybody who has the board computes the vault anew: who dealt, who is at fault, every public key
ccc verify --session session.json --board board vault/committee.ccc
echo 'meet at the usual place' | ccc encrypt --key vault/committee.ccc --out note.ccc

# now and then all get new shares of the same secret, and the old ones are worth nothing
ccc keygen session --committee vault/committee.ccc --refresh --out refresh.json
renew() { ccc refresh --session refresh.json --committee vault/committee.ccc --participant vault/participant-$1.ccc --state $1.state-r --board board-r --out fresh --erase-old || test $? = 1; }
for round in 1 2 3 4; do for i in 1 2 3 4; do renew $i; done; done

# the same way the vault goes to five, any four open: b, c, d hold on, e and f are new, a leaves
for i in e f; do ccc keygen participant --out $i.ccc; done
ccc keygen session --committee fresh/committee.ccc -t 4 --out reshare.json b.pub c.pub d.pub e.pub f.pub
old() { step_2 $1 --participant fresh/participant-$2.ccc --erase-old; }
new() { step_2 $1 --keys $1.ccc; }
step_2() { ccc reshare --session reshare.json --committee fresh/committee.ccc --state $1.state-2 --board board-2 --out vault-2 "${@:2}" || test $? = 1; }
for round in 1 2 3 4; do old a 1; old b 2; old c 3; old d 4; new e; new f; done
ccc verify --session reshare.json --committee fresh/committee.ccc --board board-2 vault-2/committee.ccc vault-2/certificate.ccc

# c has lost its share; four others give it back
rm vault-2/participant-2.ccc
ccc repair-share request --committee vault-2/committee.ccc --keys c.ccc --helpers 1,3,4,5 --out request.ccc
for stage in split sum; do for i in 1 3 4 5; do
  ccc repair-share assist --committee vault-2/committee.ccc --participant vault-2/participant-$i.ccc --request request.ccc --board board-3 || test $? = 1
done; done
ccc repair-share finish --committee vault-2/committee.ccc --keys c.ccc --request request.ccc --board board-3 --out vault-2/participant-2.ccc
ccc verify --committee vault-2/committee.ccc --board board-3 request.ccc

# what was encrypted to the first vault opens with shares of the third
for i in 1 2 3 5; do ccc share --participant vault-2/participant-$i.ccc --key vault-2/committee.ccc --out note-$i.ccc note.ccc; done
ccc open --key vault-2/committee.ccc note.ccc note-1.ccc note-2.ccc note-3.ccc note-5.ccc
