"""Names of things that the shipped model tells apart, and other words for them.

`NOUNS` maps each name to the nouns of the renderers' models that it covers; a name covers itself where it is one. What two
people would call by one word is one name: a frying pan is a pan.
"""

import json

_COVERS = """
box: cardboard box, pizza box, take away box, matchbox, first aid kit
cube: puzzle cube
block: brick, toy brick, toy blocks, magnet
ball: marble, marbles, yarn, dog toy
can: gas can
cone:
ring:
mug:
cup: paper cup, egg cup
glass: beaker
wine glass: goblet, cocktail glass
bottle: water bottle, wine bottle, decanter, flask
pill bottle:
spray bottle:
spray can:
soap dispenser:
jar: sugar bowl
jug: pitcher
teapot:
vase:
flower pot:
bowl: mortar, steamer
plate: cake stand
tray: loaf tin
pot:
pan: frying pan
lid:
cutting board:
spoon: wooden spoon, ladle, honey dipper
fork: cooking fork
knife: kitchen knife, craft knife
knife block:
spatula:
whisk: pastry brush
rolling pin:
funnel:
chopsticks: chopstick, skewer
salt shaker: pepper shaker, pepper mill
can opener:
pizza cutter:
sponge:
basket:
bucket:
crate: wine rack, shoe rack, dish rack, caddy, spice rack
carton: milk carton, juice carton
bag: paper bag, pouch
backpack:
book: books, binder, folder, calendar
notebook: notepad, sticky notes, clipboard
pen:
pencil: match
crayon: lipstick
marker:
pen holder: utensil holder
pencil case:
eraser:
ruler: spirit level
calculator:
remote control:
scissors:
stapler:
tape: thread spool
paper clip: binder clip, clothes peg
push pin: button
key:
coin:
card: cd, record
phone:
telephone:
tablet:
laptop:
keyboard:
mouse: computer mouse
monitor: television
usb stick: hard drive
battery:
light bulb:
game console:
camera:
headphones:
speaker: radio
lamp:
clock: alarm clock, compass
flashlight:
candle: candle holder
drill: jigsaw
hammer: mallet, meat tenderizer
screwdriver: chisel
wrench: allen key
pliers: tweezers
saw:
axe:
clamp:
brush: paint brush, paint roller, comb
toothbrush:
tube:
padlock:
chain: necklace
soap:
towel:
toilet paper: paper towel
bandage:
glasses: goggles
magnifying glass: hand mirror, table tennis paddle
helmet:
hat:
glove: oven glove
shoe: boot, sandal
pillow:
dumbbell:
bell:
globe:
binoculars:
star:
shell: bone, skull
die:
trophy: crown
guitar:
baseball bat: boomerang
picture frame:
plant: cactus
toy car: toy bus, toy train, toy track
toy airplane: toy rocket
toy animal: toy dinosaur, toy bear, toy bird, toy bull, toy dragon, toy fish, toy horse, toy lion, toy rhino, toy unicorn
teddy bear: plush toy
doll: action figure, toy robot
chair: office chair, armchair
stool:
table: side table, nightstand
sofa:
cabinet: bookcase
trash can:
microwave: toaster
coffee machine: blender
apple:
banana:
orange: peach
lemon:
pear:
plum: cherries
strawberry: radish
grapes:
pineapple:
watermelon: pumpkin
avocado:
kiwi:
coconut: potato
tomato:
carrot: chili
cucumber:
onion: beetroot
corn: corn dog
bell pepper:
eggplant:
broccoli: cauliflower
lettuce: cabbage, salad, leek
mushroom:
egg: fried egg
bread: baguette, bun, croissant
sandwich: taco
burger:
hot dog: sausage
pizza: pie
cake: cupcake, muffin, pudding, pancakes, waffle, gingerbread man
cookie:
donut:
chocolate bar:
candy: lollipop, candy cane, popsicle
ice cream:
cheese:
meat: steak, ham, ribs, bacon, turkey, chicken leg
fish: salmon
sushi:
fries:
"""

NOUNS = {}
for line in _COVERS.strip().splitlines():
    name, covered = line.split(":")
    NOUNS[name] = [name] + [c.strip() for c in covered.split(",") if c.strip()]
CATEGORIES = list(NOUNS)
NUMBER = {covered: CATEGORIES.index(name) for name, all_of in NOUNS.items() for covered in all_of}

# Other words, and words for several kinds; what a name covers is added below.
_SYNONYMS = """
brick: block, box
lego: block
package: box, carton
packet: box, carton, bag
pack: box, carton
parcel: box
case: box
sphere: ball
orb: ball
tennis ball: ball
tin: can
soda can: can
cylinder: can
tumbler: cup, glass
beaker: cup, glass
flask: bottle
thermos: bottle
pitcher: jug
kettle: teapot
dish: plate, bowl
saucer: plate
skillet: pan
spanner: wrench
torus: ring
hoop: ring
doughnut: donut
cell phone: phone
smartphone: phone
mobile: phone
telephone: telephone, phone
remote: remote control
controller: remote control, game console
screen: monitor, laptop, tablet
tv: monitor
torch: flashlight
power drill: drill
penknife: knife
felt-tip pen: marker
highlighter: marker
pad: notebook
magazine: book
stuffed animal: teddy bear, toy animal
dinosaur: toy animal
animal: toy animal, teddy bear, fish
car: toy car
truck: toy car
train: toy car
plane: toy airplane
airplane: toy airplane
robot: doll
figure: doll, toy animal
toy: toy car, toy airplane, toy animal, teddy bear, doll, block, ball, cube
couch: sofa
cupboard: cabinet
shelf: cabinet
bin: trash can, bucket, crate, basket
tote: crate, box, basket
container: box, can, mug, cup, bottle, bowl, jar, jug, basket, bucket, crate, carton
vessel: mug, cup, bottle, bowl, jar, jug, glass, vase
drinking vessel: mug, cup, glass
tool: hammer, wrench, drill, screwdriver, pliers, saw, axe, clamp, scissors
utensil: spoon, fork, knife, spatula, whisk
cutlery: spoon, fork, knife
silverware: spoon, fork, knife
fruit: apple, banana, orange, lemon, pear, plum, strawberry, grapes, pineapple, watermelon, avocado, kiwi, coconut
vegetable: tomato, carrot, cucumber, onion, corn, bell pepper, eggplant, broccoli, lettuce, mushroom, avocado
food: apple, banana, orange, lemon, pear, plum, strawberry, grapes, pineapple, watermelon, avocado, kiwi, coconut, tomato, carrot, cucumber, onion, corn, bell pepper, eggplant, broccoli, lettuce, mushroom, egg, bread, sandwich, burger, hot dog, pizza, cake, cookie, donut, chocolate bar, candy, ice cream, cheese, meat, fish, sushi, fries
snack: chocolate bar, cookie, candy, donut, fries, bag
pepper: bell pepper
loaf: bread
tofu: cheese
hamburger: burger
furniture: chair, stool, table, sofa, cabinet
electronics: phone, tablet, laptop, keyboard, mouse, monitor, camera, headphones, speaker, remote control, calculator, game console
stationery: pen, pencil, marker, eraser, ruler, scissors, stapler, tape, notebook
cap: hat, lid
sneaker: shoe
purse: bag
rag: towel
cloth: towel
duct tape: tape
spectacles: glasses
cactus: plant
planter: flower pot
sweet: candy
lightbulb: light bulb
weight: dumbbell
tissue box: box
wooden block: block, cube
"""
SYNONYMS = {}
for line in _SYNONYMS.strip().splitlines():
    word, others = line.split(":")
    SYNONYMS[word] = [o.strip() for o in others.split(",")]
for name, covered in NOUNS.items():
    for word in covered[1:]:
        if word not in NOUNS:
            SYNONYMS.setdefault(word, [name])
assert all(other in NOUNS for others in SYNONYMS.values() for other in others), "synonyms of unknown names"
SYNONYMS = {word: others for word, others in SYNONYMS.items() if word not in NOUNS}

if __name__ == "__main__":
    print(json.dumps(dict(nouns=CATEGORIES, synonyms=SYNONYMS), indent=1))
