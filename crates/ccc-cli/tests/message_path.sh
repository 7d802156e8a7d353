# a passphrase for the secret files, in a file that only you read
(umask 077; echo 'correct horse battery staple' > passphrase)
export CCC_PASSPHRASE_FILE=passphrase

# a vault of four, any three open; whoever has three shares of the note reads it
ccc keygen dkg -n 4 --out vault
echo 'meet at the usual place' | ccc encrypt --key vault/committee.ccc --out note.ccc
for i in 1 2 4; do ccc share --participant vault/participant-$i.ccc --key vault/committee.ccc --out note-$i.ccc note.ccc; done
ccc open --key vault/committee.ccc note.ccc note-1.ccc note-2.ccc note-4.ccc

# the same in Chainlink's format: participants count from 0, and a share is checked beside its key and ciphertext
ccc keygen tdh2 -n 4 -t 3 --out tdh2
echo 'meet at the other place' | ccc encrypt --key tdh2/public-key.json --format tdh2easy --out note.json
for i in 0 2 3; do ccc share --participant tdh2/participant-$i.ccc --key tdh2/public-key.json --out note-$i.json note.json; done
ccc verify tdh2/public-key.json note.json note-2.json
ccc open --key tdh2/public-key.json note.json note-0.json note-2.json note-3.json
