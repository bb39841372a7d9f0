"""Lists for generated tickets: French sentence templates per type, values of their slots, and weights.

The weights say how often each type and priority occurs, and how many tickets come at each hour of the week.
"""

from collections.abc import Mapping, Sequence

from indutech.tickets.contract import Priority, TicketType

# How often each type comes in, and how urgent it is when it does: a machine that stops is seldom a small matter.
TYPE_WEIGHTS: Mapping[TicketType, float] = {
    TicketType.TECHNICAL: 0.30,
    TicketType.INFORMATION: 0.23,
    TicketType.BILLING: 0.19,
    TicketType.CONNECTION: 0.18,
    TicketType.HARDWARE: 0.10,
}
PRIORITY_WEIGHTS: Mapping[TicketType, Mapping[Priority, float]] = {
    TicketType.TECHNICAL: {Priority.LOW: 0.16, Priority.MEDIUM: 0.44, Priority.HIGH: 0.31, Priority.CRITICAL: 0.09},
    TicketType.INFORMATION: {Priority.LOW: 0.68, Priority.MEDIUM: 0.27, Priority.HIGH: 0.045, Priority.CRITICAL: 0.005},
    TicketType.BILLING: {Priority.LOW: 0.36, Priority.MEDIUM: 0.46, Priority.HIGH: 0.16, Priority.CRITICAL: 0.02},
    TicketType.CONNECTION: {Priority.LOW: 0.12, Priority.MEDIUM: 0.38, Priority.HIGH: 0.38, Priority.CRITICAL: 0.12},
    TicketType.HARDWARE: {Priority.LOW: 0.05, Priority.MEDIUM: 0.22, Priority.HIGH: 0.40, Priority.CRITICAL: 0.33},
}

# Tickets per hour of the working week in Paris, Monday first, relative to each other: (night, shift, office, evening).
SHIFT, EVENING = (6, 7, 18, 19), range(20, 24)
DAY_WEIGHTS = (1.25, 1.10, 1.00, 1.00, 0.85, 0.22, 0.12)
HOUR_WEIGHTS = tuple(
    {8: 0.75, 9: 1.25, 10: 1.30, 11: 1.10, 12: 0.55, 13: 0.70, 14: 1.20, 15: 1.15, 16: 1.00, 17: 0.70}.get(
        hour, 0.40 if hour in SHIFT else 0.15 if hour in EVENING else 0.06
    )
    for hour in range(24)
)

# Values of slots, separated by bars.
# Towns where no article and no elision is needed ("de Lyon", never "d'Amiens" or "du Mans").
SITES = (
    "Lyon|Grenoble|Clermont-Ferrand|Saint-Nazaire|Belfort|Dunkerque|Valenciennes|Tarbes|Nantes|Rouen|Mulhouse|"
    "Toulouse|Saint-Étienne|Cholet|Bourges|Besançon|Poitiers|Châteauroux|Montluçon|Fos-sur-Mer|Vierzon|Figeac|Laval|"
    "Roanne|Thionville|Maubeuge|Nevers|Chambéry|Sochaux|Fougères"
)
PRODUCTS = (
    "le convoyeur CX-200|le convoyeur CX-450|la presse P-40|la presse P-80|le variateur VX-3|le variateur VX-7|"
    "la passerelle IoT G2|la passerelle IoT G5|le capteur de vibration V3|le capteur de pression S12|"
    "la sonde de température T8|le compresseur K-90|la pompe hydraulique H-15|le robot de palettisation R6|"
    "la cellule de soudage W4|le banc d'essai B-21|le tour numérique N-300|la fraiseuse F-5|le doseur D-18|"
    "la balance industrielle M-60|le lecteur de codes L-2|la caméra de contrôle C9|le chariot filoguidé A-14|"
    "l'automate S-1500|l'automate S-300|l'écran tactile E-10|l'étiqueteuse Q-7|l'onduleur U-30"
)
MODULES = (
    "le module Achats|le module Stocks|le module Maintenance|le portail client|le tableau de bord Production|"
    "le module Qualité|le suivi des commandes|le planning d'atelier|l'application mobile|l'export comptable|"
    "la saisie des temps|le catalogue de pièces|la supervision|l'interface EDI"
)
SERVICES = (
    "le VPN|le portail client|l'ERP|le CRM|la messagerie|la supervision|le bureau à distance|l'application mobile|"
    "le partage de fichiers|le Wi-Fi de l'atelier"
)
DAYS = "lundi|mardi|mercredi|jeudi|vendredi|hier|ce matin"
MONTHS = "janvier|février|mars|avril|mai|juin|juillet|septembre|octobre|novembre|décembre"

# The first half of a sentence: what is wrong. The slots are filled by the generator.
PROBLEMS: Mapping[TicketType, Sequence[str]] = {
    TicketType.CONNECTION: (
        "Impossible de se connecter : {service} ne répond plus à {site}",
        "Impossible de joindre {service} depuis le site de {site}",
        "{person} n'arrive plus à se connecter à son compte",
        "Mot de passe refusé pour {person} alors qu'il vient d'être changé",
        "Le compte de {person} est bloqué après trois essais",
        "Déconnexions toutes les {minutes} minutes, {service} est inutilisable",
        "Erreur {code} à l'ouverture de session sur le poste {asset}",
        "Le code de vérification n'arrive pas sur le téléphone de {person}",
        "Connexion très lente vers {service} depuis {day}",
        "Le certificat est signalé expiré en ouvrant {service}",
        "Le réseau est coupé dans l'atelier {workshop} à {site}",
        "Accès refusé pour {person} malgré les droits demandés {day}",
    ),
    TicketType.BILLING: (
        "La facture {invoice} indique {amount} € au lieu de {amount2} €",
        "Nous avons reçu deux fois la facture {invoice}",
        "La remise prévue au contrat manque sur la facture {invoice}",
        "Le taux de TVA semble faux sur la facture {invoice}",
        "L'avoir promis pour la commande {order} n'est pas arrivé",
        "Le prélèvement de {amount} € ne correspond à aucune facture",
        "Relance reçue pour {invoice}, pourtant réglée le {dayofmonth} {month}",
        "L'adresse de facturation de {company} est à corriger",
        "Le numéro de commande {order} ne figure pas sur {invoice}",
        "La pénalité de {amount} € de la facture {invoice} est contestée",
        "Merci de nous adresser un duplicata de la facture {invoice}",
        "Les frais de port de la commande {order} sont facturés en double",
    ),
    TicketType.INFORMATION: (
        "Quel est le délai de livraison pour {product} ?",
        "Où trouver la notice de {product} ?",
        "Pouvez-vous nous envoyer un devis pour {product} ?",
        "Quelles sont les dates de formation à {site} en {month} ?",
        "Est-il possible de reporter la visite du {dayofmonth} {month} ?",
        "La garantie couvre-t-elle encore {product} ?",
        "Comment ajouter {person} comme contact de {company} ?",
        "Qui est notre interlocuteur pour le site de {site} ?",
        "Les pièces de la commande {order} sont-elles en stock ?",
        "Comment exporter les données depuis {module} ?",
        "Quelle version de {module} est installée à {site} ?",
        "Proposez-vous un contrat de maintenance pour {product} ?",
    ),
    TicketType.TECHNICAL: (
        "Erreur {code} en ouvrant {module}",
        "Depuis la mise à jour de {day}, {module} se ferme tout seul",
        "Les mesures remontées par {product} sont décalées de {minutes} minutes",
        "La synchronisation avec {module} échoue avec le code {code}",
        "Les alarmes de {product} n'apparaissent plus à l'écran",
        "Le rapport de {month} sort vide depuis {module}",
        "La commande {order} reste bloquée au statut « en cours »",
        "L'écran reste figé en enregistrant la fiche {asset}",
        "Valeurs aberrantes relevées sur {product} à {site}",
        "L'import du fichier de {company} s'arrête à la ligne {minutes}",
        "Les accents sont illisibles dans les exports de {month}",
        "Le paramétrage a disparu : {product} redémarre avec les valeurs d'usine",
    ),
    TicketType.HARDWARE: (
        "Panne totale : {product} ne démarre plus à {site}",
        "Fuite d'huile constatée {day} sous {product}, machine {asset}",
        "Arrêt d'urgence répété, {product} est hors service",
        "Bruit anormal et vibrations, {product} chauffe après {minutes} minutes",
        "Le moteur de la machine {asset} a grillé {day}",
        "L'écran de la machine {asset} est cassé",
        "Plus d'alimentation électrique sur la ligne {workshop} à {site}",
        "Le disjoncteur saute dès que la machine {asset} est mise en route",
        "Le capteur de sécurité de la machine {asset} ne répond plus",
        "Courroie rompue {day} sur la ligne {workshop}, production arrêtée",
        "Fumée et odeur de brûlé : {product} a été coupé par sécurité",
        "Pièce à remplacer sur la machine {asset}, référence {order}",
    ),
}

# The second half: what goes with it, as a sentence of its own. Only what is broken can come back or last.
POLITE: Sequence[str] = (
    "Merci de rappeler {person} au {phone}.",
    "Merci de votre aide.",
    "{person}, {company}.",
    "Nous attendons votre retour avant le {dayofmonth} {month}.",
    "Bien cordialement, {person}.",
    "{company} attend une réponse aujourd'hui.",
    "Pouvez-vous nous rappeler au {phone} ?",
    "Équipe {workshop}, site de {site}.",
    "Voir aussi la demande {order}.",
    "Merci d'avance, {person}.",
)
INCIDENT: Sequence[str] = (
    "Déjà signalé {day} sous la référence {order}.",
    "Cela dure depuis {day}.",
    "Contact sur place : {person}.",
    "Le problème revient toutes les {minutes} minutes.",
    "Rien n'a changé de notre côté.",
    "Une capture d'écran suit par courriel.",
)
CONTEXTS: Mapping[TicketType, Sequence[str]] = {
    TicketType.CONNECTION: (*POLITE, *INCIDENT),
    TicketType.BILLING: POLITE,
    TicketType.INFORMATION: POLITE,
    TicketType.TECHNICAL: (*POLITE, *INCIDENT),
    TicketType.HARDWARE: (*POLITE, *INCIDENT[:-1]),
}
