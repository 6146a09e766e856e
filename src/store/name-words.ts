/** The two halves of a generated container name. Every word is plain lower-case ASCII. */

const split = (text: string): readonly string[] => text.trim().split(/\s+/);

export const ADJECTIVES = split(`
  airy amber ample apt ardent autumn azure balmy bold brave breezy bright brisk bronze calm candid careful cheery civil
  clear clever coastal cobalt copper coral cosy crisp curious daring deft dewy distant dusky eager early earnest easy
  elder emerald even fabled fair famous fearless fleet floral fluent fond frank free fresh frosty gallant gentle gilded
  glad golden graceful grand green hardy hazel hearty helpful hidden honest humble icy indigo ivory jade jolly jovial
  keen kind lasting leafy level light lilac lively loyal lucid lucky lunar mellow merry mighty misty modest mossy
  neat nimble noble northern novel olive open orderly pale patient placid plucky polar polite prime proud pure quick
  quiet rapid rare ready regal robust rosy royal ruby rustic sage sandy scarlet serene sharp shiny silent silver simple
  sincere sleek smooth snowy solar solid spry stable stately steady stellar still stout subtle sunny sure swift tall
  tender tidal tidy trim true trusty upbeat valiant velvet verdant vivid warm wavy western wild willing windy winter
  wise witty wry young zesty
`);

export const PEOPLE = split(`
  abel agnesi alhazen amdahl ampere antonelli archimedes ardinghelli ariel aryabhata avicenna avogadro babbage backus
  banach banneker bardeen bartik bell bernoulli bessel bhabha bohr boole borg bose boyle brahe brahmagupta brattain
  brouwer burnell cantor carson cauchy cavendish cerf chandrasekhar chebyshev clarke codd conway copernicus cori coulomb
  cray curie dalton darwin davinci dedekind descartes diffie dijkstra dirac doppler edison einstein elion engelbart
  eratosthenes euclid euler faraday fermat fermi feynman fibonacci fourier franklin fresnel galileo galois gauss germain
  gibbs goedel goldberg goldwasser goodall haken hamilton hamming hawking heisenberg hermite hertz hilbert hoare hodgkin
  holberton hooke hopper hubble huygens hypatia jennings johnson joliot joule kalman karp keller kelvin kepler
  khayyam khwarizmi kilby knuth kolmogorov kowalevski lagrange lamarr lamport laplace lavoisier leavitt leibniz liskov
  lovelace lumiere margulis markov maxwell mayer mcclintock mclaren mcnulty meitner mendel mendeleev mirzakhani moore
  morse nash neumann newton nightingale nobel noether noyce ohm oppenheimer pare pascal pasteur pauli perlman planck
  poincare poisson ptolemy pythagoras raman ramanujan rhodes riemann ritchie roentgen rosalind rubin rutherford sagan
  saha salk sammet shannon shaw shockley sinoussi snyder stallman steinmetz stonebraker tesla thompson torvalds tu turing
  varahamihira volta wescoff wiles williams wing wozniak wright yalow yonath zeno zuse
`);
