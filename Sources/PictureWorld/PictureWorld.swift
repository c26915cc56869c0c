// PictureWorld
